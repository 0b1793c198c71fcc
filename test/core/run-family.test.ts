import t from 'tap';
import { type FamilyFacts, runFamily } from '../../src/core/run-family.ts';

const of = (facts: Partial<FamilyFacts>) => {
  const whole = { columns: [], hasTime: false, firstEpoch: null, args: null, path: '/data/exp', ...facts };
  const { family, framework, task } = runFamily(whole);
  return `${family} ${framework} ${task}`;
};
const DETECT = ['train/box_loss', 'metrics/mAP50(B)', 'lr/pg0'];
const V5 = ['train/box_loss', 'train/obj_loss', 'metrics/mAP_0.5', 'x/lr0'];
const TXT = ['gpu_mem', 'train/box_loss', 'total', 'metrics/mAP_0.5'];

t.test('the columns tell the families apart', async (t) => {
  t.equal(of({ columns: DETECT, hasTime: true, firstEpoch: 1 }), 'ultralytics ultralytics detect');
  t.equal(of({ columns: DETECT, firstEpoch: 1 }), 'ultralytics-padded ultralytics detect');
  t.equal(of({ columns: DETECT, firstEpoch: 0 }), 'ultralytics-8.0 ultralytics detect');
  t.equal(of({ columns: DETECT, firstEpoch: 83 }), 'ultralytics-8.0 ultralytics detect');
  t.equal(of({ columns: ['train/giou_loss', ...DETECT] }), 'rtdetr ultralytics detect');
  t.equal(of({ columns: ['train/box_om', ...DETECT] }), 'yolov10-fork yolov10 detect');
  t.equal(of({ columns: V5 }), 'yolov5 yolov5 detect');
  t.equal(of({ columns: ['train/dfl_loss', ...V5] }), 'yolov9 yolov9 detect');
  t.equal(of({ columns: ['train/theta_loss', ...V5] }), 'yolov5-obb yolov5 obb');
  t.equal(of({ columns: ['train/seg_loss', 'metrics/mAP_0.5(M)', ...V5] }), 'yolov5-seg null segment');
  t.equal(of({ columns: ['metrics/accuracy_top1', 'lr/0'] }), 'yolov5-classify yolov5 classify');
  t.equal(of({ columns: ['train/kpt_loss', ...TXT] }), 'results-txt-pose yolov7 pose');
  t.equal(of({ columns: ['train/landmark_loss', ...TXT] }), 'results-txt-face yolov5 detect');
});

t.test('where the columns are alike, options that only one trainer has and names tell who wrote them', async (t) => {
  t.equal(of({ columns: TXT }), 'results-txt null detect');
  t.equal(of({ columns: TXT, args: { loss_ota: 1, weights: 'yolov5s.pt' } }), 'results-txt yolov7 detect');
  t.equal(of({ columns: TXT, args: { weights: 'yolov5s.pt' } }), 'results-txt yolov5 detect');
  t.equal(of({ columns: TXT, path: '/home/me/YOLOv7/runs/train/exp' }), 'results-txt yolov7 detect');
  t.equal(of({ columns: ['train/seg_loss', ...V5], args: { close_mosaic: 0 } }), 'yolov5-seg yolov9 detect');
  t.equal(of({ columns: ['train/seg_loss', ...V5], args: { weights: 'best.pt' } }), 'yolov5-seg yolov5 detect');
});

t.test('before its first row a run is known by its arguments and its folder', async (t) => {
  t.equal(of({ args: { task: 'segment', mode: 'train' } }), 'null ultralytics segment');
  t.equal(of({ args: { weights: '', hyp: 'hyp.yaml' } }), 'null yolov5 null');
  t.equal(
    of({ args: { weights: '..\\weights\\yolov9c-seg.pt' }, path: 'D:\\runs\\train-seg\\exp' }),
    'null yolov9 segment',
  );
  t.equal(of({}), 'null null null');
  t.equal(
    of({ columns: ['loss'], args: { task: ['detect'] } }),
    'null null null',
    'and what is not known is not guessed',
  );
});

t.test('OBB with the columns of detect is told by its arguments or its folder', async (t) => {
  t.match(of({ columns: DETECT, args: { task: 'obb' } }), / obb$/);
  t.match(of({ columns: DETECT, path: '/data/runs/obb/train11' }), / obb$/);
  t.match(of({ columns: ['train/angle_loss', ...DETECT] }), / obb$/);
});
