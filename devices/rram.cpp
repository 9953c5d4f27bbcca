#include "devices/rram.h"
