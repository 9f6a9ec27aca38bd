"""cwl-shipper: CloudWatch Logs batches in, OpenSearch documents out, nothing lost on the way."""
