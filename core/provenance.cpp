#include "core/provenance.h"
