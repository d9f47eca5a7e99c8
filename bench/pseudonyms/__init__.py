"""A simulated market of many cloud owners, and somebody who tries to tell which members belong to one owner.

habits     what people and their machines are like: the assumptions, all in one place
ground     the ledger (the real contract), what stands on it for whom, and the simulated time
cloud      a cloud owner: the product's own plan decides what its members do and when
others     data owners, buyers and the treasury, as far as cloud owners notice them
market     everybody together, for some weeks
views      what each adversary sees of a member, and what that makes of a pair of members
linking    the classifier, and how sure its figures are
"""
