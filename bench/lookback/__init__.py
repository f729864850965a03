"""How far back a network looks: the parts of bench/memory."""
