"""What the author of a plugin must know.

How components, their options and hooks are declared, the six interfaces, and the host that finds, checks and admits
plugins. Imports no torch.
"""
