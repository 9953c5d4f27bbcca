#include "experiments/inference/network.h"
