"""How a worksheet is handed out: on paper with blanks, on paper with the key, or as a notebook that checks itself."""
