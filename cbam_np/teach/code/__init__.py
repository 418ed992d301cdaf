"""A program of CBAM checked as a student's numbers are: what it gives, and which mistake gives the same."""
