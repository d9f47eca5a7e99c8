"""The report of one training: a page without scripts that a hospital's director can read, print and pass on."""
