"""The code that runs inside the probe pod: standard library, dnspython, and Python 3.9 or newer.

It imports nothing of netassay: `netassay.agent.pack` puts this package alone into the zipapp, under the name `agent`.
"""
