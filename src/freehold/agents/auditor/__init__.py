"""The auditor: anybody who replays a market's history and says what it shows, and what it cannot show.

`evidence` is one file that holds everything; `replay` executes it again and stops at the first thing that does not fit;
`questions` answers what the paper's members ask of each other (section II-D); `account` says what happened in one
training.
"""
