"""Worksheets that come back: read, marked, and shown to the student and the teacher."""
