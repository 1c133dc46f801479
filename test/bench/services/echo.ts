import { createServer } from 'node:http';

// No database and no checks: what HTTP alone costs in Node.js.

const ANSWER = JSON.stringify({ columns: [{ name: 'id' }], rows: [[1]] });

createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.end(ANSWER);
  });
}).listen({ host: '127.0.0.1', port: Number(process.env.PORT), backlog: 10_000 });
