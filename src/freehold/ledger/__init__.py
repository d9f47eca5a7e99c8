"""Ground: orders, stores and proves actions whose meaning it does not know.

Every engine is handed a `Machine` (the rules as a function over bytes) and offers the same port, `ports.ledger`. No
engine ever imports the rules, so none of them can tell a round from a payment.
"""
