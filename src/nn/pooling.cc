#include "nn/pooling.h"
