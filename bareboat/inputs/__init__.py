"""What the user wrote, as frozen values: recipes, toolchains, provisions, samples and the lock.

Every problem of every file is told at once.
"""
