// Runs before each test file.
import 'node:util';
