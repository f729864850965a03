"""What ends the command."""


class Failed(Exception):
    """Ends the command with its message and status 1: outputs that differ, a peer that cannot be had, a program that
    broke off."""
