"""Tables made from recorded studies."""
