"""Tests of the auditor: honest and dishonest histories, and files that somebody has tampered with."""
