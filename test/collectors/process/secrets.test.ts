import t from 'tap';
import { cutSecrets } from '../../../src/collectors/process/secrets.ts';

t.test('what looks like a secret is cut from a command line', async (t) => {
  const cut = (line: string): string => cutSecrets(line.split(' '));
  t.equal(cut('python train.py --token s3cr3t --epochs 9'), 'python train.py --token *** --epochs 9');
  t.equal(cut('python train.py --api-key=s3cr3t api_key=s3cr3t'), 'python train.py --api-key=*** api_key=***');
  t.equal(cut('env WANDB_API_KEY=s3cr3t DB_PASSWORD=hunter2 python'), 'env WANDB_API_KEY=*** DB_PASSWORD=*** python');
  t.equal(cut('curl https://anna:pw@host/x?token=abc&part=2'), 'curl https://***@host/x?token=***&part=2');
  t.equal(cut('login hf_abcdefghijklmnopqrstuvwx'), 'login ***');
  t.equal(cutSecrets(['curl', '-H', 'Authorization: Bearer abc.def']), 'curl -H Authorization: Bearer ***');
});

t.test('an ordinary command line stays as it is', async (t) => {
  const line = 'yolo train model=yolo11n.pt data=/data/railway.yaml tokenizer=bpe max_tokens=512 device=0 keyboard=us';
  t.equal(cutSecrets(line.split(' ')), line);
});
