"""What proves a ledger to a stranger: the RFC 6962 log of accepted actions and its signed checkpoint."""
