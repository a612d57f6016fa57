"""The throw-away lab of real hosts, and the scripted road through it. Calls workflow through the command line only."""
