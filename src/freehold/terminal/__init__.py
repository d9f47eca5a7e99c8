"""How Freehold shows things to a person at a terminal: amounts, symbols, colours, and lines that change in place."""
