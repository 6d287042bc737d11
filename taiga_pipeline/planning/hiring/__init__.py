"""Ways to get the hours that a plan lacks, each with what it meets, idles and costs."""
