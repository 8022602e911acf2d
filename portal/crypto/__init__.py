"""Cryptography.

`kdf`, `envelope`, `keys`, `fingerprint` and `recovery` are the twin of the browser's modules in
`static/js/crypto/`: the same formats, held to the same test vectors. The running portal never
opens anything with them; they serve the demo data, the tests and offline tools, and they tell
whether a posted string has the right shape.

`tokens` and `sealing` are the server's own: signed links, and secrets at rest.
"""
