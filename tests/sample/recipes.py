"""What each version of the sample is made of: algorithm, hyperparameters, people and the words of its card.

The hyperparameters are the ones the estimator is built from, so what the registry shows cannot drift from what was
trained.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

ArtifactKind = Literal["onnx", "skops", "safetensors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One version before training.

    Attributes:
        title: of the card.
        description: one line.
        algorithm: a key of ``sample.train.ALGORITHMS``.
        parameters: what its constructor gets; ``scaler`` is ``standard``, ``min-max`` or ``none``.
        change: a paragraph of the card: what is different about this version and why.
        limit: a sentence of the card: what to be careful about in this version.
        author: a made-up login.
        rows: how many training rows it saw, or None for all.
        files: which artifacts it ships.
        parents: numbers of earlier versions, counted from 1.
        tags: words to search for.
        license: an SPDX identifier or None.
        has_card: whether it ships a card.
    """

    title: str
    description: str
    algorithm: str
    parameters: Mapping[str, Any]
    change: str
    limit: str
    author: str
    rows: int | None = None
    files: tuple[ArtifactKind, ...] = ("onnx",)
    parents: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    license: str | None = "Apache-2.0"
    has_card: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecipe:
    """One model before training; ``intended`` and ``limits`` go into the card of every version."""

    name: str
    description: str
    team: str
    tags: tuple[str, ...]
    intended: str
    limits: tuple[str, ...]
    versions: tuple[Recipe, ...] = field(repr=False)


DIGIT_READER = ModelRecipe(
    name="digit-reader",
    description="Reads one handwritten digit from an 8x8 greyscale scan",
    team="vision",
    tags=("image", "ocr"),
    intended=(
        "Reads the postal code boxes of scanned forms, one digit at a time. The caller cuts out the box and "
        "scales it to 8x8 pixels with values from 0 to 16. Below a probability of 0.8 a person should look at "
        "the form."
    ),
    limits=(
        "Thirteen people wrote these digits on one kind of form; other pens and other sevens are not in it.",
        "It always answers with a digit, also for an empty box or a letter.",
    ),
    versions=(
        Recipe(
            title="first baseline",
            description="Baseline: logistic regression on the first 300 labelled scans",
            algorithm="logistic-regression",
            parameters={"scaler": "standard", "C": 0.01, "max_iter": 500},
            change=(
                "A first number to beat, from the 300 scans that were labelled by then. The penalty is strong because "
                "there are hardly more rows than pixels."
            ),
            limit="Too weak to be used: one digit in eight is wrong.",
            author="ada",
            rows=300,
            tags=("baseline",),
        ),
        Recipe(
            title="random forest",
            description="Random forest on the full training split, 16 trees",
            algorithm="random-forest",
            parameters={"scaler": "none", "n_estimators": 16, "max_depth": 7},
            change=(
                "All labelled scans are in. Trees need no scaling and no tuning, so they show quickly what the data "
                "can give. Sixteen trees of depth seven keep the file small enough for the scanners."
            ),
            limit="Probabilities are averages over 16 trees: coarse, and hardly ever close to 1.",
            author="ada",
            tags=("trees",),
        ),
        Recipe(
            title="logistic regression",
            description="Logistic regression on the full split: better than the forest in 4 kB",
            algorithm="logistic-regression",
            parameters={"scaler": "standard", "C": 0.1, "max_iter": 500},
            change=(
                "Version 1 again with four times the data and a weaker penalty. It reads more digits than the forest "
                "and its ONNX file is nearly fifty times smaller, so the forest is not worth keeping."
            ),
            limit="Linear in the pixels: a digit that is shifted by one pixel can change its class.",
            author="grace",
            files=("onnx", "safetensors"),
            parents=(1,),
            tags=("linear",),
        ),
        Recipe(
            title="perceptron",
            description="Perceptron with 64 hidden units, first version for production",
            algorithm="mlp-classifier",
            parameters={"scaler": "min-max", "hidden_layer_sizes": [64], "alpha": 0.001, "max_iter": 600},
            change=(
                "One hidden layer on top of the same pixels. A quarter of the linear model's errors go away, and its "
                "probabilities are the best of the first four versions."
            ),
            limit="Two of its fifteen errors on the held-out rows come with a probability of 0.99.",
            author="grace",
            files=("onnx", "safetensors"),
            parents=(3,),
            tags=("neural",),
        ),
        Recipe(
            title="calibrated support vector machine",
            description="Support vector machine with calibrated probabilities",
            algorithm="calibrated-svm",
            parameters={"scaler": "min-max", "C": 10.0, "gamma": 0.05, "calibration_folds": 5},
            change=(
                "A support vector machine with a radial kernel; its scores become probabilities by Platt's method "
                "with five folds. It makes a third of the perceptron's errors in a file nine times as large, which "
                "the scanners can take."
            ),
            limit="Keeps 451 training scans inside the file as support vectors: treat it as you treat the data.",
            author="edsger",
            tags=("kernel",),
        ),
        Recipe(
            title="narrower kernel",
            description="Same machine with a narrower kernel (gamma 0.08): better probabilities",
            algorithm="calibrated-svm",
            parameters={"scaler": "min-max", "C": 10.0, "gamma": 0.08, "calibration_folds": 5},
            change="",
            limit="",
            author="edsger",
            parents=(5,),
            tags=("kernel",),
            has_card=False,
        ),
    ),
)

TUMOR_SCREENING = ModelRecipe(
    name="tumor-screening",
    description="Tells benign from malignant breast masses by measurements of cell nuclei",
    team="clinical",
    tags=("tabular", "screening"),
    intended=(
        "Sorts a work list: samples that look malignant come first, and a pathologist reads all of them. It "
        "takes the 30 measurements of a digitised fine needle aspirate. It must not decide on a diagnosis or "
        "on leaving one out."
    ),
    limits=(
        "Not a medical device. The data come from one hospital in the early nineties.",
        "The class order is malignant, benign: the second probability is that of a benign mass.",
    ),
    versions=(
        Recipe(
            title="naive Bayes",
            description="Gaussian naive Bayes: the baseline with nothing to tune",
            algorithm="naive-bayes",
            parameters={"scaler": "none", "var_smoothing": 1e-9},
            change=(
                "Treats the 30 measurements as independent, which they are not: radius, perimeter and area say the "
                "same thrice."
            ),
            limit="Counts correlated measurements several times, so its probabilities are far too close to 0 and 1.",
            author="tim",
            files=("onnx", "skops"),
            tags=("baseline",),
        ),
        Recipe(
            title="gradient boosting",
            description="Gradient boosting, 60 shallow trees",
            algorithm="gradient-boosting-classifier",
            parameters={
                "scaler": "none",
                "n_estimators": 60,
                "max_depth": 2,
                "learning_rate": 0.1,
                "subsample": 0.8,
            },
            change="Sixty trees of depth two, each on four fifths of the rows. The probabilities become usable.",
            limit="Steps of the trees show: nearly the same samples can get clearly different probabilities.",
            author="tim",
            tags=("trees",),
        ),
        Recipe(
            title="logistic regression",
            description="Logistic regression on standardised measurements",
            algorithm="logistic-regression",
            parameters={"scaler": "standard", "C": 1.0, "max_iter": 500},
            change=(
                "The classes are nearly separable by a plane once every measurement has the same scale, and a plane "
                "can be explained to the clinic: the coefficients ship as safetensors."
            ),
            limit="Single coefficients have no meaning where measurements are correlated.",
            author="ada",
            files=("onnx", "safetensors"),
            tags=("linear", "explainable"),
        ),
        Recipe(
            title="calibrated support vector machine",
            description="Support vector machine, calibrated: best accuracy, auc and log loss so far",
            algorithm="calibrated-svm",
            parameters={"scaler": "standard", "C": 3.0, "gamma": 0.01, "calibration_folds": 5},
            change=(
                "A slightly curved boundary in place of the plane, with probabilities by Platt's method over five "
                "folds."
            ),
            limit="Cannot be explained by coefficients; for a single sample use version 3 beside it.",
            author="grace",
            parents=(3,),
            tags=("kernel",),
        ),
        Recipe(
            title="sparse logistic regression",
            description="Sparse logistic regression for the bedside device: 4 of the 30 measurements",
            algorithm="logistic-regression",
            parameters={"scaler": "standard", "C": 0.02, "l1_ratio": 1.0, "solver": "saga", "max_iter": 5000},
            change=(
                "The bedside device measures only a few properties quickly, so an L1 penalty was to drop the others. "
                "It keeps four, but at C = 0.02 it also shrinks what is left: 22 of 85 malignant samples come out "
                "benign, against 5 in version 3."
            ),
            limit="Clearly worse than versions 3 and 4; for trying out the device only.",
            author="tim",
            parents=(3,),
            tags=("linear", "sparse", "bedside"),
        ),
    ),
)

WINE_ORIGIN = ModelRecipe(
    name="wine-origin",
    description="Names the cultivar of a wine from its chemical analysis",
    team="sensory",
    tags=("tabular", "food"),
    intended=(
        "Checks the label of a bottle against the 13 values that the laboratory measures anyway. A "
        "contradiction is a reason to measure again, not a proof of fraud."
    ),
    limits=(
        "Three cultivars of one region of Italy; wine from anywhere else gets one of the three names all the same.",
        "The held-out split has 72 bottles: a difference of one bottle is 1.4 points of accuracy.",
    ),
    versions=(
        Recipe(
            title="decision tree",
            description="Decision tree of depth 3, for scikit-learn only",
            algorithm="decision-tree",
            parameters={"scaler": "none", "max_depth": 3},
            change=(
                "A tree that fits on a sheet of paper in the laboratory. It ships as skops for the notebook it came "
                "from."
            ),
            limit="No ONNX file: it needs scikit-learn to run. Its leaves answer 0 or 1, so log loss is poor.",
            author="grace",
            files=("skops",),
            tags=("baseline", "trees"),
            license="MIT",
        ),
        Recipe(
            title="nearest neighbours",
            description="Nine nearest neighbours on standardised values",
            algorithm="nearest-neighbours",
            parameters={"scaler": "standard", "n_neighbors": 9, "weights": "uniform"},
            change=(
                "Compares a bottle with the nine most similar ones. Without the scaler proline would decide alone."
            ),
            limit="Probabilities come in steps of one ninth.",
            author="grace",
            tags=("neighbours",),
            license="MIT",
        ),
        Recipe(
            title="extremely randomised trees",
            description="Extremely randomised trees, 30 of depth 5",
            algorithm="extra-trees",
            parameters={"scaler": "none", "n_estimators": 30, "max_depth": 5},
            change="Thirty trees with random thresholds: as simple to feed as version 1, and much steadier.",
            limit="The largest file of this model, for two bottles more than the neighbours get right.",
            author="edsger",
            tags=("trees",),
            license="MIT",
        ),
        Recipe(
            title="linear discriminant analysis",
            description="Linear discriminant analysis with shrinkage: every held-out bottle is right",
            algorithm="discriminant-analysis",
            parameters={"scaler": "standard", "solver": "lsqr", "shrinkage": 0.2},
            change=(
                "The three cultivars are three clouds with about the same shape, which is just what this method "
                "assumes. Shrinkage keeps the covariance steady with 106 bottles."
            ),
            limit=("A perfect score on 72 bottles is luck, too: in ten-fold cross-validation on all rows it is 0.989."),
            author="ada",
            tags=("linear",),
            license="MIT",
        ),
    ),
)

DIABETES_PROGRESSION = ModelRecipe(
    name="diabetes-progression",
    description="Estimates how far diabetes progresses within a year of the first visit",
    team="clinical",
    tags=("tabular", "regression"),
    intended=(
        "Plans how many follow-up appointments a clinic will need, summed over its patients. Age, sex, body "
        "mass index, blood pressure and six blood values go in, scaled as in scikit-learn's copy of the data."
    ),
    limits=(
        "Explains about half of the variance: no statement about one patient is meant or possible.",
        "Not a medical device. 442 patients of one study.",
    ),
    versions=(
        Recipe(
            title="pilot",
            description="Pilot: ordinary least squares on the first 60 patients",
            algorithm="least-squares",
            parameters={"scaler": "standard"},
            change="The pilot group only, to show that a line through ten values says something at all.",
            limit=(
                "Ten coefficients from 60 patients: that of age says that the old fare better, which all patients "
                "together deny."
            ),
            author="tim",
            rows=60,
            tags=("baseline", "linear"),
        ),
        Recipe(
            title="gradient boosting",
            description="Gradient boosting on all patients, 60 shallow trees",
            algorithm="gradient-boosting-regressor",
            parameters={
                "scaler": "none",
                "n_estimators": 60,
                "max_depth": 2,
                "learning_rate": 0.08,
                "subsample": 0.7,
            },
            change="All patients, and a method that could find bends and interactions. It finds hardly any.",
            limit="Does not go beyond the range it has seen, so the most severe courses come out too mild.",
            author="edsger",
            tags=("trees",),
        ),
        Recipe(
            title="ridge regression",
            description="Ridge regression: linear again, with all patients",
            algorithm="ridge",
            parameters={"scaler": "standard", "alpha": 30.0},
            change=(
                "Back to a line, now with 309 patients. The penalty shares the weight among the correlated blood "
                "values."
            ),
            limit="All ten values are needed; a missing one has to be filled in by the caller.",
            author="ada",
            files=("onnx", "safetensors"),
            parents=(1,),
            tags=("linear", "explainable"),
        ),
        Recipe(
            title="lasso",
            description="Lasso: slightly better than ridge, with seven of the ten values",
            algorithm="lasso",
            parameters={"scaler": "standard", "alpha": 2.0},
            change=(
                "The other penalty: it sets the weight of age and of two blood values to zero, and the error goes "
                "down a little."
            ),
            limit="Which of two correlated values stays is a matter of chance; do not read it as a finding.",
            author="grace",
            files=("onnx", "safetensors"),
            parents=(3,),
            tags=("linear", "sparse"),
        ),
    ),
)

IRIS_SPECIES = ModelRecipe(
    name="iris-species",
    description="Tells three species of iris apart; for courses and for trying things out",
    team="sensory",
    tags=("tabular", "teaching"),
    intended="For courses: small enough to look at every number. Nothing depends on it, and no stage holds it.",
    limits=("150 flowers that one person measured before 1936.",),
    versions=(
        Recipe(
            title="decision tree",
            description="Decision tree of depth 2, the one on the blackboard",
            algorithm="decision-tree",
            parameters={"scaler": "none", "max_depth": 2},
            change="Two questions about the petal, as in every course.",
            limit="Answers with one of three probabilities.",
            author="tim",
            files=("onnx", "skops"),
            tags=("trees",),
            license=None,
        ),
        Recipe(
            title="discriminant analysis",
            description="Linear discriminant analysis, as in Fisher's paper",
            algorithm="discriminant-analysis",
            parameters={"scaler": "standard", "solver": "lsqr", "shrinkage": 0.0},
            change=(
                "What Fisher did with these flowers in 1936. It finds no more of them than the tree, but ranks them "
                "better."
            ),
            limit="Assumes that the three species vary in the same way; setosa varies less.",
            author="tim",
            tags=("linear",),
        ),
        Recipe(
            title="nearest neighbours",
            description="Five nearest neighbours on the raw centimetres",
            algorithm="nearest-neighbours",
            parameters={"scaler": "none", "n_neighbors": 5, "weights": "uniform"},
            change="All four measurements are centimetres, so neighbours need no scaling here.",
            limit="Holds the training flowers; the file grows with them.",
            author="grace",
            files=("onnx",),
            tags=("neighbours",),
        ),
    ),
)

RECIPES: tuple[ModelRecipe, ...] = (
    DIGIT_READER,
    TUMOR_SCREENING,
    WINE_ORIGIN,
    DIABETES_PROGRESSION,
    IRIS_SPECIES,
)
