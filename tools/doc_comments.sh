#!/bin/sh
# Doxygen's filter for our headers: whole-line comments become ///, those behind a declaration ///<.
sed -E 's@^( *)//( |$)@\1///\2@; t; s@^(.*[^ ]) +// @\1 ///< @' "$1"
