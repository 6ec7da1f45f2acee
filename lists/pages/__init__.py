"""What pages show, prepared for their templates: views fetch, act and answer, and pass this on."""
