"""What a student wrote: numbers, names and files, read without running anything."""
