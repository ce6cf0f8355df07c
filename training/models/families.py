"""The list of model families: name → module:class. One line per family, and nothing else."""

FAMILIES = {
    "lightfm": "training.models.lightfm:LightFM",
    "implicit_als": "training.models.implicit_als:ImplicitALS",
    "implicit_bpr": "training.models.implicit_bpr:ImplicitBPR",
    "ease": "training.models.ease:EASE",
    "sklearn_svd": "training.models.sklearn_svd:SklearnSVD",
    "sklearn_nmf": "training.models.sklearn_nmf:SklearnNMF",
    "surprise_svd": "training.models.surprise_svd:SurpriseSVD",
    "spark_als": "training.models.spark_als:SparkALS",
    "blend": "training.models.blend:Blend",
    "popularity": "training.models.popularity:Popularity",
}
