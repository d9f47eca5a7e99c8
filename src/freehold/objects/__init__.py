"""Content-addressed objects: packages sealed to their reader, bases and results as public ciphertexts.

`folder` keeps them in a folder of this machine, `remote` reaches those that a node serves; both satisfy
`ports.object_store`.
"""
