"""The vendors, one adapter each. Plain Python and requests: no Django, no models.

An adapter is a declaration and pairs of small pure functions, our words into theirs and theirs into ours
(`base.Operation`). Connections, deadlines and the meaning of status codes belong to `base` and `http`; pace, repeats
and what is written down belong to the caller.
"""
