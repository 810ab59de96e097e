"""The embedded cluster: a real Kubernetes whose nodes are namespaces of one machine.

It stands beside the harness and knows only its own files; the command line and one fixture bring it up.
"""
