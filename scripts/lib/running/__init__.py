"""A running copy of MAMIS on this machine: its servers, its processes and its sample data.

Used by scripts/run for the copy in .run and by the tests for copies of their own. Python as Debian
ships it (/usr/bin/python3), standard library and psycopg2 only.
"""
