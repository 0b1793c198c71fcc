/**
 * What the command line of a process tells of a training: `training` it says so itself, `python` it may hold one,
 * `other` it is something else. A shell, an editor, `tail` are not Python; of the Python programs that people run beside
 * a training the usual ones are known by name.
 */
export const kindOfCommand = (command: string | null): 'training' | 'python' | 'other' => {
  const [program = '', ...words] = (command ?? '').split(/\s+/).filter((word) => word !== '');
  if (!/^(python|pypy|ipython)[\d.]*$/.test(nameOf(program))) return 'other';
  // Options of the interpreter and its script stand first: a tool's name further on may be an argument.
  const opening = words.slice(0, 4).map(nameOf);
  if (opening.some((word) => TOOL.test(word))) return 'other';
  if (words.some((word) => OTHER_TASK.test(nameOf(word)))) return 'other';
  return words.some((word) => TRAINING.test(nameOf(word)) || /\.train\(/.test(word)) ? 'training' : 'python';
};

const nameOf = (word: string): string => (word.includes('=') ? word : (word.split('/').at(-1) ?? word));

/** `yolo train`, `mode=train`, `train.py`, `train_dual.py`, `my_training.py`, `-m yolov5.train`. */
const TRAINING = /^(mode=)?train$|(^|[._-])train(ing|er)?([._-]\w+)*\.py$|\.train$/i;
/** The other modes of the same programs. */
const OTHER_TASK =
  /^(mode=)?(val|predict|export|track|benchmark)$|^(val|detect|predict|export|test|hubconf|benchmarks?)\.py$/i;
const TOOL =
  /^(tensorboard(\.main|\.py)?|http\.server|jupyter.*|notebook|mlflow|wandb.*|pip[\d.]*|venv|aim|streamlit|gradio|labelme|labelImg|fiftyone|nvitop|gpustat|glances|adapter|pylsp|black|ruff|pylint|mypy|pytest|jedi-language-server|run-jedi-language-server\.py|lsp_server\.py|pydoc|ipdb)$/i;
