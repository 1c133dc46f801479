"""How gunicorn runs queue_pool.py: threads enough for every connection of the pool to be used."""

import os

connections = int(os.environ["CONNECTIONS"])

bind = f"127.0.0.1:{os.environ['PORT']}"
workers = 2
worker_class = "gthread"
threads = 2 * connections
worker_connections = 2000
keepalive = 60
loglevel = "warning"

# Each worker is a process with a pool of its own.
raw_env = [f"CONNECTIONS_OF_A_WORKER={connections // workers}"]
