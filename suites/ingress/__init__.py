"""Requests from outside and inside reach the backends that Ingresses and HTTPRoutes name, and no others."""
