"""Teaching: the lecture's example, named steps, mistakes, the checkers for numbers and for code, worksheets."""
