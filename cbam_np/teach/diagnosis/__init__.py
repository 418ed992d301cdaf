"""Which mistakes explain what went wrong: hypotheses held against evidence."""
