"""Who makes the claims."""

LECTURE = "lecture “Introduction to Deep Learning and Differentiable Physics”"
