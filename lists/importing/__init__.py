"""The road of an uploaded file: reading, columns and cleaning know no Django; flow is what views and commands call, and
job what a worker does."""
