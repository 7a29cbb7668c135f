"""Replies that no server would send, by the thousand: what a stranger may say to a check, mutated.

`python -m tests.fuzz` runs it, `make fuzz` for a minute. Each target is a protocol and a stage: seeds in `corpus/`, a
vocabulary, and a function that lets the client read the bytes from a real connection. What must hold is in
`invariants`.
"""
