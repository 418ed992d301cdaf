"""A question for each of the commonest mistakes: what a teacher may ask instead of telling. TEACHING.md has them."""

QUESTIONS = {
    "divided by C instead of H·W": "Over how many numbers did you add?",
    "the average over space taken twice": "Which of the two pools is in your second branch?",
    "the sigmoid before the sum": "How many sigmoids are in the formula?",
    "the maximum's branch missing": "Where did the maximum go?",
    "the pools added before the MLP": "If the ReLU stops one branch, what is left of it after you have added?",
    "softmax instead of the channel sigmoid": "Must the weights add up to 1? May two channels both matter?",
    "the spatial step taken on F instead of F', as if in parallel": (
        "What does the second question look at: the first feature map, or what the first answer made of it?"
    ),
    "divided by H·W instead of C": "In which direction does this pool run?",
    "the kernel flipped": "Put the kernel on the map as it is printed: what lies under its upper left entry?",
    "padding forgotten": "Where is the middle of the kernel when you compute the corner pixel?",
    "M_s multiplied onto F instead of F'": "What has become of the channel weights?",
    "rounded too early": "How many digits did you carry on?",
    "the product rule's second term forgotten": "In how many places of M ⊗ F is F?",
    "one branch dropped from dW_0": "How often was W_0 used?",
    "another rule for ties": "The maximum is there twice: who gets its gradient, and who said so?",
}
