"""The ways in from outside: the command line. Parses, calls `api`, and shows; decides nothing about feelings."""
