"""Reads what the user wrote into frozen values: recipes, toolchains, provisions, samples and the lock.

Every problem of every file is reported at once. Others use `load_recipes.load_recipes`, which returns a
`recipe.RecipeBook`; `sample.load_samples` and `load_crate`, which return `sample.Sample`s; `lock.read_lock` and
`write_lock`; and the values in `base`, `recipe`, `sample` and `lock`.
"""
