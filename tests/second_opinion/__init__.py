"""The rules of the market a second time, slowly, from the text of the protocol alone.

Nothing here but the test modules knows the product: its reader, forms, order of refusals, draw, settlement, rulings and
events are written again, so that two readings of one text can be compared. `opinion` is the whole market and names the
order of refusals; `membership`, `datasets`, `trainings`, `rounds`, `rulings` and `payments` hold its rules; `books`,
`reader`, `forms`, `hashes` and `draw` what they stand on. `crowd` plays people who do right, and wrong in one, two or
three ways at once. `test_second_opinion` sends each action to both and compares them; FREEHOLD_HISTORIES and
FREEHOLD_STEPS (numbers) let it run longer.
"""
