"""What a checked answer sheet is told: the verdicts, the words, and how they are laid out."""
