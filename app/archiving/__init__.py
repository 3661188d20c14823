"""A workspace as a file: everything, exactly, for the operator who moves it to another server.

Only commands on the server lead here, no page and no API: an archive shows each answer with its
day and its labels, which nobody is shown otherwise. Whatever table a feature adds goes along unless
`tables` says why not. Members stay behind; whoever restores an archive names the new owner.
"""
