"""What a section is given."""

import pathlib

from . import side

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "bench"


class Context:
    """The options of the command and what all sections share.

    options         of the command, a section's own (add_options) among them
    rounds threads  options, too
    ROOT            the checkout
    PROGRAMS        where the programs of bench/ are; UNROLL is the command
    folder          for files; it is removed at the end
    peak            side.PeakMeter with context.threads
    notes           lines for the head of the document: context.notes["PyTorch"] = "version and so on"
    """

    ROOT = ROOT
    PROGRAMS = BUILD / "bench"
    UNROLL = BUILD / "unroll"

    def __init__(self, options, folder, peak):
        self.options = options
        self.rounds = options.rounds
        self.threads = options.threads
        self.folder = pathlib.Path(folder)
        self.peak = peak
        self.notes = {}

    def side(self, program, *arguments, environment=None):
        """Starts a program of bench/ (side.Side)."""
        return side.Side([self.PROGRAMS / program, *arguments], environment)

    def cases(self, every):
        """Those with a name that --case wants."""
        wanted = self.options.case
        return [case for case in every if not wanted or any(word in case.name for word in wanted)]

    def precisions(self, every):
        """Those that --precision wants."""
        return [name for name in every if not self.options.precision or name in self.options.precision]

    def progress(self, text):
        side.progress(text)
