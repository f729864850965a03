"""The sections of the document, in its order. Each is a module with

NAME                  of the section, for --section; the module's name
HELP                  one line for --help
PROGRAMS              targets to build (the command itself is there always)
SETS                  of tools/setup, beside build and bench (optional)
add_options(parser)   options of its own (optional)
measure(context)      returns Markdown: a heading of level 2, what was measured and how, tables; raises failed.Failed
                      where outputs are not what they must be. An empty string where --case or --precision left nothing.
"""

ORDER = [
    "layers",
    "training",
    "avx2",
    "scoring",
    "one_token",
    "first_token",
    "growth",
    "memory",
]
