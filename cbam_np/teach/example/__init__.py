"""The lecture's example: its numbers, its steps as text, and the same numbers through every dialect."""
